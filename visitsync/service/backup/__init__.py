"""Backups: the database and its data keys as two parts, read as of one instant and put back whole.

A full backup is a folder: ``data``, ``keys``, and a signed ``manifest``, which is written last.
What was written since is shipped as tails beside it: ``tail-000001.data`` and so on.
"""
