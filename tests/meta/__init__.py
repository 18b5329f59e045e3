"""The proof that the suite is right: subjects that are wrong or right in known ways."""
