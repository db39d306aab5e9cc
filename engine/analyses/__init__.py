"""Classical results of input-output analysis, each from certified solves."""
