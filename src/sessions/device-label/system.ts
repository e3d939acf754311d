import { finderOf, type Mark } from "./tokens.ts";

// Windows Phone comes first: it claims to be Android and an iPhone as well. Forks and televisions come before
// the Linux or Android that they also name. Marks of apps that exist on one system only come before the
// system that their "desktop mode" claims.
const systems: readonly Mark[] = [
  ["Windows Phone", "Windows Phone", "Windows Mobile", "IEMobile", "XBLWP7"],
  ["Xbox", "Xbox"],
  ["PlayStation", /PlayStation/],
  ["Nintendo", /Nintendo/],
  ["tvOS", /Apple ?TV/, "tvOS"],
  ["watchOS", "watchOS", "Watch OS"],
  ["iOS", /\((?:iPhone|iPad|iPod)/, /CPU (?:iPhone )?OS [\d_]{1,12} like Mac OS X/, /; U; iPh OS/],
  ["iOS", "CriOS", "FxiOS", "EdgiOS", "OPiOS", "MXiOS", "OPT/", "FBIOS", "MessengerForiOS", "Ecosia ios"],
  ["iOS", "YaApp_iOS", /Macintosh.*GSA\//],
  ["KaiOS", "KAIOS"],
  ["Tizen", "Tizen"],
  ["webOS", "webOS", "Web0S", "hpwOS"],
  ["Sailfish OS", "Sailfish"],
  ["Bada", "Bada"],
  ["BlackBerry", "BlackBerry", "BB10", "PlayBook", "RIM Tablet OS"],
  ["Linux", /Ubuntu[ \d.]* like Android/],
  ["Android", /Android/, "Adr", "FB4A", "Silk", "Silk-Accelerated", /\bKF[A-Z]{2,6} Build\//],
  ["Chrome OS", "CrOS"],
  ["iOS", /iPhone|iPad|iPod/],
  ["HarmonyOS", "HarmonyOS", "OpenHarmony"],
  ["Symbian", /Symbian|SymbOS/, "Series60", "Series40", "S60"],
  ["Windows", /Windows/, /\bWin(?:NT|9[58]|16|32|64)\b/],
  ["Mac OS", /Macintosh|Mac ?OS/, /Mac_PowerPC/, /Darwin\/.*(?:x86_64|i386)/],
  ["Android", "EdgA/", "SamsungBrowser", "MiuiBrowser", "HuaweiBrowser", "HeyTapBrowser", "VivoBrowser"],
  ["FreeBSD", "FreeBSD"],
  ["OpenBSD", "OpenBSD"],
  ["NetBSD", "NetBSD"],
  ["DragonFly BSD", "DragonFly"],
  ["Solaris", "SunOS", "Solaris"],
  ["Haiku", "Haiku"],
  ["BeOS", "BeOS"],
  ["OS/2", "OS/2"],
  ["AmigaOS", /Amiga/],
  ["Fuchsia", "Fuchsia"],
  ["Firefox OS", /^Mozilla\/5\.0 \((?:Mobile|Tablet); (?:[\w-]{1,20}; )?rv:/],
  ["Linux", /Linux/, "X11", "Ubuntu", "Fedora", "Debian", "CentOS", "openSUSE", "Gentoo"],
];

// What Sec-CH-UA-Platform may say.
const platforms = new Map([
  ["macOS", "Mac OS"],
  ["Windows", "Windows"],
  ["Linux", "Linux"],
  ["Android", "Android"],
  ["Chrome OS", "Chrome OS"],
  ["Chromium OS", "Chrome OS"],
  ["iOS", "iOS"],
]);

/** Every operating system a label may name. */
export const systemNames: ReadonlySet<string> = new Set(systems.map(([name]) => name));

/** The operating system family that a User-Agent names, or null. */
export const readSystem = finderOf(systems);

/** The operating system that a Sec-CH-UA-Platform header names, or null for one not on the list. */
export function readPlatformHint(header: string): string | null {
  return platforms.get(header.slice(0, 64).replaceAll('"', "").trim()) ?? null;
}
