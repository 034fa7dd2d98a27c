#include "pprof/limits.h"

enum { MIB = 1 << 20 };

const struct conversion_limits conversion_limits_agent = {
    .symbols = 24 * MIB,
    .stacks = 1 << 17,
    .samples = 1 << 18,
    .text = 6 * MIB,
    .output = 9 * MIB,
    .series = 1000,
    .blocks = 1 << 15,
    .entries = 1 << 17,
    .frames = 1 << 14,
    .cached = 1 << 17,
    .spans = 1 << 16,
    .names = 4 * MIB,
    .metadata = 4 * MIB,
    .cpu_ns = 2000000000,
    .event_name = 128,
};

const struct conversion_limits conversion_limits_files = {
    .symbols = (size_t)1024 * MIB,
    .stacks = 1 << 24,
    .samples = 1 << 24,
    .text = (size_t)1024 * MIB,
    .output = 256 * MIB,
    .series = SIZE_MAX,
    .blocks = 1 << 17,
    .entries = 1 << 24,
    .frames = 1 << 16,
    .cached = 1 << 20,
    .spans = 1 << 22,
    .names = 256 * MIB,
    .metadata = 16 * MIB,
    .cpu_ns = 0,
    .event_name = 128,
};

const struct cut_reason_def cut_reasons[CUT_REASONS] = {
    [CUT_MEMORY] = {"memory", "events under [other]: too many distinct stacks"},
    [CUT_LABELS] = {"labels", "events without labels: too many distinct label sets"},
    [CUT_FRAMES] = {"frames", "stacks truncated: too deep"},
    [CUT_POOLS] = {"pools", "constant pool entries ignored: too many"},
    [CUT_SPANS] = {"spans", "spans ignored: too many"},
    [CUT_TIME] = {"time", "events ignored: conversion time limit exceeded"},
};
