"""An environment's own command: filled in, run under a supervisor, and judged by what CloudFormation says of its stack."""
