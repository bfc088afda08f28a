#!/usr/bin/env python
"""Dashtam's command line: `manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.local")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as problem:
            sys.stderr.write(f"{problem}\n")
            sys.exit(3)  # 1 is what some commands answer
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
