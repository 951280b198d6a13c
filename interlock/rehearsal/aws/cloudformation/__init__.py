"""CloudFormation with slow, failing and stalling resources: MiniStack builds what it can, stand-ins the rest."""
