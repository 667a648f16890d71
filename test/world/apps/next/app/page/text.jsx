"use client";

export function Text() {
  return <p id="text">first</p>;
}
