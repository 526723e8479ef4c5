"""Python expressions: operators, methods and functions, which choose the overload."""

from typing import Any

from ..build import fill, rand

# separated by semicolons; `x` is (2, 3), `y` (2, 3), `w` (3, 2), `u` (3,), `c` 0-dim, `m` a (2, 3) bool mask
TEXTS = """
x + y; x + 2; 2 + x; x + 2.5; x + True; x - y; x - 2; 2 - x; 2.5 - x; x * y; x * 2; 2 * x; x / y; x / 2
2 / x; 1.0 / x; x ** 2; x ** 0.5; 2 ** y; x ** y; -x; +x; abs(x); x @ w; w.t() @ x.T; u @ w; x @ u; u @ u
x + u; x * c; c * x; x == y; x != 1; x < y; x <= 0; x > 0; x >= y; x.eq(y).all(); (x > 0).any(); 2 > x
x.isnan().any(); x[0]; x[-1, 1]; x[:, 0]; x[:, ::2]; x[..., None]; x[None]; x[1:, :2]; x[[1, 0]]; x[m]
x[x > 0]; x[:, [0, 2]]; x[..., -1]; x.sum(); x.sum(0); x.sum(dim=1, keepdim=True); x.sum((0, 1))
x.mean(-1); x.std(); x.var(1); x.norm(); x.norm(1); x.prod(1); x.max(); x.min(); x.amax(1); x.logsumexp(0)
x.argmax(1); x.norm(dim=1); x.std(unbiased=False); x.var(dim=0, correction=0); x.t(); x.T; x.mT
x.transpose(0, 1); x.permute(1, 0); x.permute((1, 0)); x.reshape(3, 2); x.reshape(-1); x.view(6)
x.view(-1, 2); x.view((6,)); x.flatten(); x.unsqueeze(0); x.unsqueeze(0).squeeze(); u.expand(2, 3)
u.expand((2, -1)); u.broadcast_to((2, 3)); x.float(); x.to(dtype='float32'); x.clone(); x.detach() * y
x.t().contiguous(); x.select(0, 1); x.exp().log().sqrt(); x.sin() + x.cos(); x.tanh(); x.sigmoid()
x.relu(); x.softmax(1); x.log_softmax(-1); x.square(); x.clamp(0, 1); x.clamp(min=0); x.clamp(max=y)
x.where(m, y); x.pow(3); x.add(y, alpha=2); x.sub(y, alpha=0.5); x.mul(y); x.div(y)
x.div(y, rounding_mode='floor'); x.neg(); x.reciprocal(); x.matmul(w); x.mm(w); x.mv(u); u.dot(u)
u.outer(c[None]); cat([x, y]); stack([x, y], dim=1); einsum('ij,jk->ik', x, w); where(m, x, 0)
maximum(x, y); linalg.norm(x); sum(x, dim=0); F.relu(x); F.gelu(x); F.softplus(x, beta=2)
F.linear(x, w.t()); F.mse_loss(x, y); F.layer_norm(x, (3,)); F.softmax(x, dim=1); F.leaky_relu(x, 0.2)
F.elu(x); F.silu(x); F.cross_entropy(x, y.argmax(1)); F.cross_entropy(x, y.softmax(1))
F.binary_cross_entropy_with_logits(x, y.sigmoid()); F.nll_loss(x.log_softmax(1), y.argmax(1))
softmax(x @ w, dim=-1) @ w.t(); ((x - x.mean(0)) / x.std(0)).sum(); (x * x).sum() / 2
x.gather(1, y.argmax(1)[:, None]); (x + 2) * (x + 2) * 3; ((x + 2) * (x + 2) * 3).mean()
3 * x ** 2 - 2 * x + 1; 1 / (1 + (-x).exp()); x.sum() * x.mean(); 1 - x.mean() ** 2; -x ** 2
(x * m).sum(); x / c; c / x; c ** 2; x * 1j; ones(2) * c; zeros_like(x) + y; x.abs().amax()
"""


def cases() -> list[dict[str, Any]]:
    named = {
        "x": rand(2, 3, low=0.1), "y": rand(2, 3), "w": rand(3, 2), "u": rand(3), "c": rand(low=0.5),
        "m": rand(2, 3, dtype="bool"),
    }  # fmt: skip
    texts = [text.strip() for line in TEXTS.strip().splitlines() for text in line.split(";")]
    found = []
    for text in texts:
        used = compile(text, text, "eval").co_names
        call = fill({"text": text, "inputs": {name: item for name, item in named.items() if name in used}})
        found.append({**call, "inputs": {name: item["tensor"] for name, item in call["inputs"].items()}})
    return found
