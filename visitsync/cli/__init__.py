"""The commands, one file each; a command's module is imported only when it is called."""

from __future__ import annotations

import importlib
import pkgutil

import click


class Commands(click.Group):
    """Finds the commands by scanning this folder, so none is registered by hand.

    A module ``audit_export`` would be the command ``audit-export``; each module exports
    ``command``. Folders hold what several commands share.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names of the modules in this folder."""
        modules = pkgutil.iter_modules(__path__)
        return sorted(one.name.replace("_", "-") for one in modules if not one.ispkg)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command that the module of this name exports."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command
