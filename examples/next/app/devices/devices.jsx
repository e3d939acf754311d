"use client";
import dynamic from "next/dynamic";

/** The card shows what is true now, for this browser: there is nothing to render ahead. */
export const Devices = dynamic(() => import("./card.jsx"), { ssr: false });
