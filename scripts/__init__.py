"""The `seawall` command, and what it takes to run the whole system on one machine."""
