import { mount } from "latchkey/next";
import { latchkey } from "../../../lib/latchkey.js";

export const { GET, POST, PUT, DELETE } = mount(latchkey);
