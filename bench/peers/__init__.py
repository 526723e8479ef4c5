"""The other side: what a user of each library would write."""
