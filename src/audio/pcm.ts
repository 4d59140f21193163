/** Linear PCM: conversion between 16-bit and float samples, saturation, and levels in dBFS and dBm0 (ITU-T G.711). */

/** 16-bit samples to -1…1. */
export function toFloat(pcm: Int16Array): Float32Array {
  const out = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i++) out[i] = pcm[i]! / 32768;
  return out;
}

/** -1…1 to 16-bit samples, rounded; what lies outside is clipped, not wrapped; NaN becomes 0. */
export function toInt16(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) out[i] = saturate(samples[i]! * 32768);
  return out;
}

/** Rounds to the nearest 16-bit sample and clips. */
export function saturate(value: number): number {
  return value >= 32767 ? 32767 : value <= -32768 ? -32768 : Math.round(value);
}

export function rms(pcm: Int16Array): number {
  if (pcm.length === 0) return 0;
  let sum = 0;
  for (let i = 0; i < pcm.length; i++) sum += pcm[i]! * pcm[i]!;
  return Math.sqrt(sum / pcm.length);
}

/** Level in decibels below a full-scale square wave; -Infinity for digital silence. */
export function levelDbfs(pcm: Int16Array): number {
  return 20 * Math.log10(rms(pcm) / 32768);
}

/**
 * Peak amplitude of a sine at a telephone level. A full-scale sine is +3.17 dBm0 in mu-law and +3.14 dBm0 in A-law
 * (G.711 §2.4); the first is used for both, the difference being inaudible.
 */
export function sineAmplitude(levelDbm0: number): number {
  return Math.min(32767, 32767 * 10 ** ((levelDbm0 - 3.17) / 20));
}

/** RMS of noise at a telephone level, in 16-bit steps. */
export function noiseRms(levelDbm0: number): number {
  return sineAmplitude(levelDbm0) / Math.SQRT2;
}

export function joinInt16(parts: readonly Int16Array[]): Int16Array {
  return filled(new Int16Array(lengthOf(parts)), parts);
}

export function joinFloat32(parts: readonly Float32Array[]): Float32Array {
  return filled(new Float32Array(lengthOf(parts)), parts);
}

function lengthOf(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function filled<T extends Int16Array | Float32Array>(out: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Largest second difference: a click is a bend that the signal itself never has. */
export function sharpestBend(pcm: ArrayLike<number>, from = 0, to = pcm.length): number {
  let sharpest = 0;
  for (let i = Math.max(2, from); i < to; i++) {
    sharpest = Math.max(sharpest, Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!));
  }
  return sharpest;
}
