"""Reading rows: JSON Lines and CSV, gzip or not, from a file or standard input."""
