"""A simulated AWS for rehearsals and tests: MiniStack for the services, our own CloudFormation on top of it.

`python -m interlock.rehearsal.aws --port 4566` runs it; `process.RehearsalAws` runs it from a program. What it does as
AWS does, and where it differs, is written in docs/rehearsal-aws.md.
"""
