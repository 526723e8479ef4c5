"""The other side: what a user of each library would write. Each module imports its library when it is asked."""
