# Layer 3 intents: what a change is for, in the words of the system that it changes.

module grace.intents

intent system.boot      says "Bring the system up from nothing, in a known order."
intent system.recovery  says "Bring the system back after a fault."
intent heal.trigger     says "Notice a fault and start a playbook."
intent heal.verify      says "Prove that the playbook helped."
intent govern.approve   says "Decide whether an action may happen."
intent govern.audit     says "Show afterwards why it did."
intent model.select     says "Choose the model that fits the task."
intent model.route      says "Send the request to a model that answers."
