"""Every figure that the documentation quotes, each by one command: `seawall bench NAME`.

A benchmark measures its contestants side by side in one run, in turns, so that a busy machine slows all of
them alike; it tells medians, spreads and ratios, and asserts nothing about time.
"""
