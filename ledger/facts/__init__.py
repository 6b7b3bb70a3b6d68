"""What happened: facts and acts, the forms they come in, and which of them count."""
