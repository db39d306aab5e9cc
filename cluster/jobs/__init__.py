"""Jobs: what was asked, how far it is, and what came out, in files that outlive every process."""
