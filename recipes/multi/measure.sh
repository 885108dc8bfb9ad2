#!/bin/sh
# Word error rates with the language detected and with it given, detection, and invented words.
# usage: sh recipes/multi/measure.sh MODEL OUT [SET...]
# A clip that was detected rightly has the same text with the language given, so that only the others are searched again.
set -e
model=$1 out=$2
shift 2
mkdir -p "$out"
for set in ${*:-german commonvoice no_speech arctic prompts ljspeech speechocean}; do
    # a recording of silence counts as failed
    asr-s2s transcribe --model "$model" --quiet --manifest "data/$set/eval/manifest.jsonl" --output "$out/$set.jsonl" || [ "$set" = no_speech ]
    python recipes/multi/given.py "$set" "$model" "$out/$set.jsonl" "$out/$set.given.jsonl"
done
