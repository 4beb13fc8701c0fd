# Who may do what with which secret stands in the manifests (secrets, secretUses) and, for people, in
# functions/tokens/README.md. Values are never here: a person adds the platform's, functions add the tenants'.
locals {
  # The platform's own, made here. `{tenant}` in a name: one for each tenant, made by the functions at run time.
  platform_secrets = toset([for use in values(local.secret_uses) : use.secret if !strcontains(use.secret, "{tenant}")])
  platform_uses    = { for key, use in local.secret_uses : key => use if !strcontains(use.secret, "{tenant}") }
  tenant_uses      = { for key, use in local.secret_uses : key => use if strcontains(use.secret, "{tenant}") }

  # Each use with no right that it does not need: Google's own roles where they fit, ours where theirs hold more.
  secret_roles = {
    read   = "roles/secretmanager.secretAccessor"
    add    = "roles/secretmanager.secretVersionAdder"
    retire = google_project_iam_custom_role.secret_version_retirer.name
    list   = google_project_iam_custom_role.secret_version_lister.name
  }
}

resource "google_secret_manager_secret" "platform" {
  for_each = local.platform_secrets

  secret_id = each.key

  replication {
    auto {}
  }

  topics {
    name = google_pubsub_topic.topic["secret-notifications"].id
  }

  lifecycle {
    prevent_destroy = true
  }

  # Secret Manager refuses a topic it may not publish to.
  depends_on = [google_pubsub_topic_iam_member.secret_manager]
}

resource "google_secret_manager_secret_iam_member" "platform" {
  for_each = local.platform_uses

  secret_id = google_secret_manager_secret.platform[each.value.secret].secret_id
  role      = local.secret_roles[each.value.use]
  member    = google_service_account.function[each.value.function].member
}

# A tenant's secret does not exist yet when this is applied, so the right is given for all of its kind, by name: the text
# before and after the tenant. Versions have the secret's name and more behind it.
resource "google_project_iam_member" "tenant_secrets" {
  for_each = { for key, use in local.tenant_uses : key => use if use.use != "create" }

  project = var.project_id
  role    = local.secret_roles[each.value.use]
  member  = google_service_account.function[each.value.function].member

  condition {
    title = each.value.secret
    expression = join(" && ", [
      "resource.name.startsWith(\"projects/${data.google_project.this.number}/secrets/${split("{tenant}", each.value.secret)[0]}\")",
      "(resource.name.endsWith(\"${split("{tenant}", each.value.secret)[1]}\") || resource.name.extract(\"/secrets/{name}/versions/\").endsWith(\"${split("{tenant}", each.value.secret)[1]}\"))",
    ])
  }
}

# Creating is asked of the project, where no name can be a condition; so the role can create and nothing else.
resource "google_project_iam_member" "secret_creators" {
  for_each = toset([for use in values(local.tenant_uses) : use.function if use.use == "create"])

  project = var.project_id
  role    = google_project_iam_custom_role.secret_creator.name
  member  = google_service_account.function[each.key].member
}

resource "google_project_iam_custom_role" "secret_creator" {
  role_id     = "kobiSecretCreator"
  title       = "Creates secrets"
  permissions = ["secretmanager.secrets.create"]
}

resource "google_project_iam_custom_role" "secret_version_lister" {
  role_id     = "kobiSecretVersionLister"
  title       = "Lists the versions of a secret, without their values"
  permissions = ["secretmanager.versions.list"]
}

resource "google_project_iam_custom_role" "secret_version_retirer" {
  role_id     = "kobiSecretVersionRetirer"
  title       = "Disables and destroys versions of a secret"
  permissions = ["secretmanager.versions.destroy", "secretmanager.versions.disable", "secretmanager.versions.list"]
}
