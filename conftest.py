pytest_plugins = ["tests.plugin.plugin", "tests.plugin.services", "tests.plugin.fixtures"]
