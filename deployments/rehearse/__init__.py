"""A fire drill: the whole job with a user's own template, where nothing is real. `interlock rehearse deploy`"""
