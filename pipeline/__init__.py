"""What both services share: values and their codecs, Redis scripts, errors, the ways in and out of a process."""
