"""A suite for each port: the unit tier holds its fake to it, the integration tier its adapters."""
