# Cloud Build: cloudbuild.yaml on every push to main ends with a plan; applying it is a build of its own that a person
# approves (release/apply.cloudbuild.yaml).
resource "google_cloudbuild_trigger" "plan" {
  name            = "plan"
  location        = var.region
  description     = "Tests, bundles and plans what is on main"
  service_account = "projects/${var.project_id}/serviceAccounts/${var.deployer}"
  filename        = "cloudbuild.yaml"

  repository_event_config {
    repository = var.source_repository

    push {
      branch = "^main$"
    }
  }

  substitutions = local.build_substitutions
}

resource "google_cloudbuild_trigger" "apply" {
  name            = "apply"
  location        = var.region
  description     = "Applies a plan that a person has read and approved"
  service_account = "projects/${var.project_id}/serviceAccounts/${var.deployer}"

  approval_config {
    approval_required = true
  }

  # Started by the plan's build with the commit it planned, never by a push.
  source_to_build {
    repository = var.source_repository
    ref        = "refs/heads/main"
    repo_type  = "GITHUB"
  }

  git_file_source {
    path       = "terraform/release/apply.cloudbuild.yaml"
    repository = var.source_repository
    revision   = "refs/heads/main"
    repo_type  = "GITHUB"
  }

  substitutions = local.build_substitutions
}

locals {
  build_substitutions = {
    _ENVIRONMENT  = var.environment
    _REGION       = var.region
    _STATE_BUCKET = var.state_bucket
    _BUNDLES      = google_storage_bucket.bundles.name
  }
}

# The deployer calls the health route of what it deployed.
resource "google_cloud_run_service_iam_member" "smoke_test" {
  service  = google_cloudfunctions2_function.function["tenant-api"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.deployer}"
}
