"""One control a file: what an attacker would try, and that nothing comes of it. SECURITY.md is the table of all."""
