"""Who takes part in a household's affairs: who may know of it, who decides for it, and refusals.

`actors` says who somebody is beside a household; `knowing` and `deciding` ask, each in one check,
whether that is enough; `looking` asks and logs in one; `refusing` logs where it was not.
"""
