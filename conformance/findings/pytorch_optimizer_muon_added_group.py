"""pytorch_optimizer.Muon: a group that is added later, without `use_muon`, breaks the next step.

Package: pytorch_optimizer 4.1.0.
Found by: muon/groups/added, against muon/torch. AdaMuon and NorMuon do the same.
Requirement: add_param_group() fills in what a group does not say, or refuses it.
Observed: the group is accepted, and the next step raises KeyError for all.
"""

import torch
from pytorch_optimizer import Muon

p, q = (torch.nn.Parameter(torch.ones(2, 2)) for _ in range(2))
optimizer = Muon([{"params": [p], "use_muon": True}])
p.grad, q.grad = torch.ones(2, 2), torch.ones(2, 2)
optimizer.add_param_group({"params": [q]})
try:
    optimizer.step()
except KeyError as error:
    raise AssertionError(f"the step raises KeyError: {error}") from error
