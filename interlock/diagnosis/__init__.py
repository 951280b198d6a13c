"""Why a resource is stuck or failed, asked of its own service: one small handler per type, listed in `handlers`.

It only reads, with the environment's own rights, and it is help: what cannot be read is said, and hurts nobody.
"""
