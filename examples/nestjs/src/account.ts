import { createParamDecorator, type ExecutionContext } from "@nestjs/common";
import type { Request } from "express";

/** Who is signed in: `@Account() account` in a handler, behind `requireSession`. */
export const Account = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<Request>().latchkey?.account,
);
