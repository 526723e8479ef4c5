"""The cases, by group; a module each."""

from __future__ import annotations

from bench.case import Case
from bench.cases import arrays, models, requests, resources, small

CASES: tuple[Case, ...] = (*small.CASES, *arrays.CASES, *models.CASES, *resources.CASES, *requests.CASES)
