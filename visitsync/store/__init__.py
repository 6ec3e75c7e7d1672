"""THE DATABASE: tables, and functions by purpose that take a connection. None of them commits.

PostgreSQL from version 15, or the embedded SQLite. Times are whole microseconds since 1970 in UTC
by the database's own clock, days are whole days since 1970; what describes a person is sealed or
keyed before it comes here. An attacker who reads the database learns which pseudonymous household
was visited by which office on which day; one who writes it can delete and roll back, and is
noticed.
"""
