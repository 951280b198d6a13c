"""The log: what a line is about, how it is written, what is masked in it, and where it goes. See docs/logs.md."""
