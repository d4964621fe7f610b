import torch
import torch.nn.functional as F

from endcap.model.attention import Attention, causal, diagonal


def layer(dim=8):
    torch.manual_seed(0)
    return Attention(dim)


def test_by_hand_with_identity_projections():
    block = layer(dim=1)
    with torch.no_grad():
        for part in (block.to_q, block.to_k, block.to_v, block.to_out):
            part.weight.fill_(1.0)
    x = torch.tensor([[[0.0], [2.0]]])
    out, weights = block(x, causal(2))
    later = torch.tensor([0.0, 4.0]).softmax(-1)  # scores 2 x 0 and 2 x 2, over the root of 1
    torch.testing.assert_close(weights[0], torch.stack([torch.tensor([1.0, 0.0]), later]))
    torch.testing.assert_close(out[0, 1], 2.0 * later[1:])


def test_it_equals_torchs_scaled_dot_product_attention():
    block, x = layer(), torch.randn(3, 5, 8)
    for visible in (causal(5), torch.ones(5, 5, dtype=torch.bool)):
        out, weights = block(x, visible)
        mixed = F.scaled_dot_product_attention(
            block.to_q(x), block.to_k(x), block.to_v(x), attn_mask=visible
        )
        torch.testing.assert_close(out, block.to_out(mixed))
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))
        assert weights[:, ~visible].abs().sum() == 0


def test_a_row_depends_on_what_the_mask_shows_it_and_on_nothing_else():
    block, x = layer(), torch.randn(1, 6, 8)
    for visible in (causal(6), diagonal(6)):
        for place in range(6):
            changed = x.clone()
            changed[0, place] += 1.0
            moved = (block(changed, visible)[0] - block(x, visible)[0]).abs().amax(-1)[0] > 0
            assert torch.equal(moved, visible[:, place])


def test_it_has_no_bias():
    assert {name for name, _ in layer().named_parameters()} == {
        f"to_{part}.weight" for part in ("q", "k", "v", "out")
    }
    assert layer()(torch.zeros(1, 3, 8), causal(3))[0].abs().sum() == 0
