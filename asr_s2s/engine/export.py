"""A model's graphs without its weights, which OnnxEngine runs.

`encoder` turns samples into encodings, `start` those into what a search begins with, `step` appends tokens; `heads` has
CTC and the predicted lengths, `lengths` counts frames. A language model has `step` alone. A graph names its weights as
model.safetensors does, and gets them when it is loaded. Its inputs and outputs that begin with `memory` belong to an
utterance, those with `beam` to a hypothesis, those with `slots` to tokens that were written; `visible` says which
hypothesis sees which slots.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from asr_s2s.engine.tracing import Compute, Tensors, traced_graph
from asr_s2s.errors import CheckpointError, MissingExtraError
from asr_s2s.files import atomic_write
from asr_s2s.model_store.directory import SpeechSystem
from asr_s2s.model_store.graphs import ARCHITECTURE, GRAPH_FOLDER, MADE_FOR, graph_path, made_for, read_graph
from asr_s2s.model_store.language import LanguageSystem
from asr_s2s.model_store.names import stored_name
from asr_s2s.models.attention import Memory
from asr_s2s.models.decoders.rnn import RnnDecoder, RnnState
from asr_s2s.models.decoders.transformer import TransformerDecoder
from asr_s2s.models.decoders.transformer_state import KeysValues, TransformerState
from asr_s2s.models.language_models.lstm import LstmLanguageModel
from asr_s2s.models.language_models.transformer import TransformerLanguageModel


def add_graphs(folder: Path, system: SpeechSystem | LanguageSystem, *, like: Path | None = None) -> str | None:
    """Write the graphs of a model that was just written, see export_graphs; if they cannot be made, return a notice."""
    try:
        if isinstance(system, SpeechSystem):
            export_graphs(folder, system, like=like)
        else:
            export_language_graphs(folder, system)
    except MissingExtraError as error:
        return (
            f"{folder}: written without the graphs that transcription without torch needs. {error} "
            f"Then run: asr-s2s model export {folder} --graph."
        )
    return None


def export_graphs(folder: Path, system: SpeechSystem, *, like: Path | None = None) -> None:
    """Write the graphs of a model into its directory, each whole or not at all.

    like: a model's directory, whose graphs are copied where they fit: an export takes seconds
    Raises MissingExtraError where the exporter is needed and not installed.
    """
    decoder: Any = system.model.decoder
    parts = {"model": system.model, "front_end": system.front_end}
    marks = {ARCHITECTURE: system.config.fingerprint(), MADE_FOR: made_for(system.config.model_dump(mode="json"))}
    marks |= {
        "vocabulary_size": str(decoder.vocabulary_size),
        "max_tokens": str(decoder.max_tokens or ""),
        "window_seconds": str(system.front_end.window_seconds or ""),
        "aligns": "1" if decoder.aligns else "",
    }

    samples = {"samples": torch.zeros(2, 16_050), "sample_lengths": torch.tensor([16_050, 12_000])}
    with torch.no_grad():
        encoder_out, encoder_lengths = system.model.encode(*system.front_end(*samples.values()))
        encoding = {"encoder_out": encoder_out, "encoder_lengths": encoder_lengths}
        start = _start_of(decoder)
        state = start(encoding)
    graphs: dict[str, tuple[Compute, Tensors]] = {
        "lengths": (
            lambda given: {"lengths": system.front_end.lengths(given["sample_lengths"])},
            {"sample_lengths": samples["sample_lengths"]},
        ),
        "encoder": (_encoder_of(system), samples),
        "start": (start, encoding),
        "step": _step_of(decoder, state),
    }
    if system.model.ctc_head is not None or system.model.length_head is not None:
        graphs["heads"] = (_heads_of(system), encoding)
    _write(folder, graphs, parts, marks=marks, like=like)


def export_language_graphs(folder: Path, system: LanguageSystem) -> None:
    """Write the graph of a language model into its directory. Raises MissingExtraError as export_graphs does."""
    marks = {ARCHITECTURE: system.config.fingerprint(), MADE_FOR: made_for(system.config.model_dump(mode="json"))}
    marks |= {"vocabulary_size": str(system.vocabulary.size)}
    _write(folder, {"step": _language_step_of(system.model)}, {"": system.model}, marks=marks, like=None)


def _encoder_of(system: SpeechSystem) -> Compute:
    def compute(given: Tensors) -> Tensors:
        features, feature_lengths = system.front_end(given["samples"], given["sample_lengths"])
        encoder_out, encoder_lengths = system.model.encode(features, feature_lengths)
        sound_frames = system.front_end.sound_lengths(given["sample_lengths"])
        return {
            "encoder_out": encoder_out,
            "encoder_lengths": encoder_lengths,
            "sound_lengths": system.model.encoder.output_lengths(sound_frames),
            "features": features,
            "sound_frames": sound_frames,
        }

    return compute


def _heads_of(system: SpeechSystem) -> Compute:
    def compute(given: Tensors) -> Tensors:
        found = {}
        if system.model.ctc_head is not None:
            found["ctc_log_probs"] = system.model.ctc_log_probs(given["encoder_out"])
        if system.model.length_head is not None:
            found["predicted_lengths"] = system.model.length_head(given["encoder_out"], given["encoder_lengths"])
        return found

    return compute


def _start_of(decoder: Any) -> Compute:
    def compute(given: Tensors) -> Tensors:
        state = decoder.start(given["encoder_out"], given["encoder_lengths"])
        if isinstance(state, TransformerState):
            return {"memory_scores": state.frames} | _pairs("memory", state.encoded)
        return _rnn_memory(state.memory) | _rnn_beam(state)

    return compute


def _step_of(decoder: Any, start: Tensors) -> tuple[Compute, Tensors]:
    """Return the step and examples of its inputs: two utterances of three hypotheses."""
    if isinstance(decoder, RnnDecoder):
        state = {
            name: each.repeat_interleave(3, 1) if name.startswith("beam") else each for name, each in start.items()
        }
        return _rnn_step_of(decoder), {"tokens": torch.ones(2, 3, dtype=torch.long)} | state
    assert isinstance(decoder, TransformerDecoder)

    def compute(given: Tensors) -> Tensors:
        state = TransformerState(
            encoded=_paired("memory", given),
            frames=given["memory_scores"],
            written=_paired("slots", given),
            visible_slots=given["visible"],
            position=0,
        )
        output = decoder.extend(given["tokens"], given["visible"], state, with_attention=True)
        assert output.attention is not None, "it was asked for"
        return {"logits": output.logits, "attention": output.attention} | _pairs("slots", output.state.written)

    keys = {name: torch.zeros(2, each.size(1), 5, each.size(3)) for name, each in start.items() if each.size(1) > 1}
    slots = {name.replace("memory", "slots"): each for name, each in keys.items() if name != "memory_scores"}
    return compute, _writing(slots) | start


def _rnn_step_of(decoder: RnnDecoder) -> Compute:
    def compute(given: Tensors) -> Tensors:
        summary = given.get("memory_summary")
        frames = given["memory_frames"]
        keys, values = (given["memory_keys"], given["memory_values"]) if summary is None else (summary, summary)
        cells = [name for name in given if name.startswith("beam_cell")]
        numbers = sorted({int(name.split("_")[2]) for name in cells})
        state = RnnState(
            layers=tuple(tuple(given[n] for n in cells if int(n.split("_")[2]) == number) for number in numbers),
            context=given["beam_context"],
            history=given["beam_history"],
            memory=Memory(keys, values, frames),
        )
        output = decoder.step(given["tokens"], state, with_attention=True)
        attention = {} if output.attention is None else {"attention": output.attention}
        return {"logits": output.logits} | attention | _rnn_beam(output.state)

    return compute


def _language_step_of(model: LstmLanguageModel | TransformerLanguageModel) -> tuple[Compute, Tensors]:
    start = model.start(2, device=torch.device("cpu"))
    if isinstance(start, TransformerState):
        slots = {
            name: each.new_zeros(2, each.size(1), 5, each.size(3))
            for name, each in _pairs("slots", start.written).items()
        }

        def extend(given: Tensors) -> Tensors:
            state = replace(start, written=_paired("slots", given), visible_slots=given["visible"])
            assert isinstance(model, TransformerLanguageModel)
            logits, state = model.extend(given["tokens"], given["visible"], state)
            return {"logits": logits} | _pairs("slots", state.written)

        return extend, _writing(slots)

    def step(given: Tensors) -> Tensors:
        assert isinstance(model, LstmLanguageModel)
        logits, (hidden, cell) = model.step(given["tokens"], (given["beam_hidden"], given["beam_cell"]))
        return {"logits": logits, "beam_hidden": hidden, "beam_cell": cell}

    hidden, cell = (part.repeat_interleave(3, 1) for part in start)
    return step, {"tokens": torch.ones(2, 3, dtype=torch.long), "beam_hidden": hidden, "beam_cell": cell}


def _writing(slots: Tensors) -> Tensors:
    """Return examples of what a step writes into slots, of which five are full."""
    return {"tokens": torch.ones(2, 3, dtype=torch.long), "visible": torch.ones(2, 3, 8, dtype=torch.bool)} | slots


def _pairs(name: str, layers: tuple[KeysValues, ...]) -> Tensors:
    named = (
        ((f"{name}_key_{number}", keys), (f"{name}_value_{number}", values))
        for number, (keys, values) in enumerate(layers)
    )
    return {key: value for pair in named for key, value in pair}


def _paired(name: str, given: Tensors) -> tuple[KeysValues, ...]:
    count = sum(key.startswith(f"{name}_key") for key in given)
    return tuple((given[f"{name}_key_{number}"], given[f"{name}_value_{number}"]) for number in range(count))


def _rnn_memory(memory: Memory) -> Tensors:
    if memory.keys is memory.values:
        return {"memory_summary": memory.keys, "memory_frames": memory.valid_frames}
    return {"memory_keys": memory.keys, "memory_values": memory.values, "memory_frames": memory.valid_frames}


def _rnn_beam(state: RnnState) -> Tensors:
    cells = {
        f"beam_cell_{number}_{place}": part
        for number, layer in enumerate(state.layers)
        for place, part in enumerate(layer)
    }
    return cells | {"beam_context": state.context, "beam_history": state.history}


def _write(
    folder: Path,
    graphs: Mapping[str, tuple[Compute, Tensors]],
    parts: Mapping[str, nn.Module],
    *,
    marks: Mapping[str, str],
    like: Path | None,
) -> None:
    """Write a model's graphs, and remove those of another model that the folder held."""
    for name, (compute, inputs) in graphs.items():
        content = _fitting(like, name, parts, marks=marks) if like else None
        content = content or traced_graph(compute, inputs, parts, marks=marks)
        with atomic_write(graph_path(folder, name)) as temporary:
            temporary.write_bytes(content)
    for path in (folder / GRAPH_FOLDER).glob("*.onnx"):
        if path.stem not in graphs:
            path.unlink()


def _fitting(like: Path, name: str, parts: Mapping[str, nn.Module], *, marks: Mapping[str, str]) -> bytes | None:
    """Return another model's graph if it fits weights of these shapes and says the same of itself."""
    weights = nn.ModuleDict(dict(parts)).state_dict()
    shapes = {stored_name(name): tuple(weight.shape) for name, weight in weights.items()}
    try:
        graph = read_graph(
            graph_path(like, name), architecture=marks[ARCHITECTURE], settings=marks[MADE_FOR], shapes=shapes
        )
    except CheckpointError:
        return None
    return graph.content if graph.metadata == marks else None
