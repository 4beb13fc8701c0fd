terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source = "hashicorp/google"
      # The version whose schema the tests hold every argument against (schema/).
      version = "6.50.0"
    }
  }

  # terraform init -backend-config="bucket=<state bucket>" -backend-config="prefix=<environment>"
  backend "gcs" {}
}

provider "google" {
  project = var.project_id
  region  = var.region

  default_labels = {
    module      = "meta-ads"
    environment = var.environment
  }
}

data "google_project" "this" {
  project_id = var.project_id
}
