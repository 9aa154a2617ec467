"""What people look at: displays, summaries and reports."""
