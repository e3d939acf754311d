import { Body, Controller, Get, Header, Post, Redirect } from "@nestjs/common";
import type { Account as SignedInAccount } from "latchkey";
import { Account } from "./account.js";
import { notesPage } from "./notes-page.js";

@Controller()
export class NotesController {
  /** By account, in memory. */
  private readonly notes = new Map<string, string[]>();

  @Get()
  @Header("Content-Type", "text/html; charset=utf-8")
  read(@Account() account: SignedInAccount): string {
    return notesPage(account.email, this.notes.get(account.id) ?? []);
  }

  @Post("notes")
  @Redirect("/", 303)
  keep(@Account() account: SignedInAccount, @Body("note") note = ""): void {
    this.notes.set(account.id, [...(this.notes.get(account.id) ?? []), String(note)]);
  }
}
