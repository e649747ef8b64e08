"""What both services share: values and their codecs, Redis scripts, errors, and how a service runs."""
