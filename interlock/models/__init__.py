"""The nouns of the domain, one a file. Values only: nothing here reads, writes or waits."""
