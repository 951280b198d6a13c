"""Telling people. `messages` renders, `slack` talks to Slack, `delivery` takes the outbox there; nothing else may."""
