"""A local Slack: its own process, real HTTP, a page to look at. For rehearsals and tests; it keeps nothing on disk."""
