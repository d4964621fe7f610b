"""A record -> its page again (tier 1), and its predictions again (tier 2)."""

import msgspec
import numpy as np

from endcap.engine.protocols import Predictor
from endcap.engine.record import with_page
from endcap.engine.request import device_of
from endcap.errors import QueryError
from endcap.schema import EVENT, Decision, Predictions, Question

REPLAYED = "of the record"
"""The user of a replayed question: a record knows its subject, and no user."""


def replay(decision: Decision) -> Decision:
    """Apply the page rule again, to the record alone; what comes out must equal the record.

    Raises:
        QueryError: the record keeps no noise key.
    """
    return with_page(msgspec.structs.replace(decision, chosen=[]))


def predictions_of(decision: Decision, predictor: Predictor) -> Predictions:
    """Ask the model again what it read when the decision was made.

    Raises:
        QueryError: the record keeps no model inputs, or another model was asked.
    """
    inputs = decision.inputs
    if inputs is None:
        raise QueryError(
            f"Decision {decision.decision_id!r} keeps no model inputs, so its predictions cannot "
            f"be replayed; raise Settings.sample_inputs to keep them."
        )
    if decision.model_version != predictor.version:
        raise QueryError(
            f"Decision {decision.decision_id!r} asked model {decision.model_version}, not "
            f"{predictor.version}; open the model that it names."
        )
    item = np.array(inputs.candidate_item, dtype=np.int32)
    context = np.frombuffer(inputs.context, dtype="<f4").astype(np.float32)
    question = Question(
        user_id=REPLAYED,
        history=np.frombuffer(inputs.history, dtype=EVENT),
        at_us=decision.at_us,
        device=device_of(decision.device),
        item=item,
        campaign=np.array(inputs.candidate_campaign, dtype=np.int32),
        counters=np.zeros((0, 0), dtype=np.float32),
    )
    width = len(context) // len(item) if len(item) else 0
    return predictor.repeat(question, context.reshape(len(item), width))
