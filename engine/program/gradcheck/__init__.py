"""Gradients of programs, checked against difference quotients without an eps to choose.

Where things are, each line from what it needs to what needs it:

numbers     differences (one element moved), convergence (a random line)
answer      report
runs        evaluations, running, check
"""

from engine.program.gradcheck.check import PreparedGradcheck, gradcheck_program
from engine.program.gradcheck.convergence import Convergence
from engine.program.gradcheck.report import GradcheckReport, Worst

__all__ = ["Convergence", "GradcheckReport", "PreparedGradcheck", "Worst", "gradcheck_program"]
