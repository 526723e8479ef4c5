"""The families of ops, a module each. Importing this package fills the registry: a module that is put here is
found."""

import importlib
import pkgutil

for _module in sorted(each.name for each in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")
