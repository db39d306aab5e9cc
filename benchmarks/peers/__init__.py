"""Classical results beside other input-output software, in the same run."""
