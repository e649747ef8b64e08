"""The subcommands of `seawall`, one file each."""
