"""Every night: take in the day's changes, plan again from yesterday's plan, publish, explain."""
