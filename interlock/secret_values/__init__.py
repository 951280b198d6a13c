"""Values that must never be shown: what a parameter's value may be instead of one, where it is read, how it is hidden."""
