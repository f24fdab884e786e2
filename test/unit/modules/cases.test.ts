import * as modules from "#modules/index.ts";
import { declareCases } from "../../support/cases.ts";

declareCases(modules);
